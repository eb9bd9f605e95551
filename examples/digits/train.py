#!/usr/bin/env python3
"""Handwritten digits: a network of two layers, trained with NumPy, and where the time goes.

The 1,797 images of 8 by 8 pixels come with scikit-learn (Alpaydin & Kaynak, UCI Machine Learning
Repository, 1998, doi:10.24432/C50P49). A fifth of them is held out, and tells how good the network is.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

import within as wi
from network import Momentum, Network, cross_entropy
from options import read_options
from progress import Progress

CLASSES = 10
HELD_OUT = 360
ENOUGH = 0.95


def split_digits(random):
    """Return images (n, 64), from 0 to 1, and labels (n,): those to learn from, and those held out."""
    images, labels = load_digits(return_X_y=True)
    order = random.permutation(len(labels))
    images, labels = images[order] / 16, labels[order]
    return (images[HELD_OUT:], labels[HELD_OUT:]), (images[:HELD_OUT], labels[:HELD_OUT])


def train_batch(network, rule, images, labels):
    """Learn from some digits; return their mean loss before that."""
    with wi.section("forward"):
        units, scores = network.forward(images)
    with wi.section("loss"):
        loss, slope = cross_entropy(scores, labels)
    with wi.section("backward"):
        gradients = network.backward(images, units, slope)
    with wi.section("update"):
        rule.update(gradients)
    return loss


def train_epoch(network, rule, images, labels, batch_size, random):
    """Learn from all digits once, in a new order; return the mean loss of the batches."""
    order = random.permutation(len(labels))
    batches = np.split(order, range(batch_size, len(order), batch_size))
    with wi.section("epoch"):
        losses = [train_batch(network, rule, images[batch], labels[batch]) for batch in batches]
    return np.mean(losses)


def show_progress(text):
    """Rewrite the last line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def train(network, learnt, held_out, options, random):
    """Train to the last epoch, from the newest checkpoint of these options on if there is one."""
    rule = Momentum(network.parameters, options.learning_rate)
    progress = Progress(network, rule, random, setting_of(options))
    with wi.checkpoints(options.checkpoints, suffix=".npz") as series:
        progress.resume(series, options.epochs)
        if progress.epoch:
            print(f"train.py: going on after epoch {progress.epoch} of {options.epochs}", file=sys.stderr)
            wi.active_run().set_tag("goes on after", f"epoch {progress.epoch}")
        with wi.csv_log(options.csv, "epoch:int,loss:float", fresh=not progress.epoch) as log:
            log.truncate(progress.epoch)
            while progress.epoch < options.epochs:
                epoch = progress.epoch + 1
                loss = guarded(epoch, train_epoch, network, rule, *learnt, options.batch_size, random)
                with wi.uninterrupted():
                    write_down(progress, epoch, loss, log, series)
                wi.active_run().log(epoch, loss=loss, accuracy=accuracy(network, *held_out))
                show_progress(f"epoch {progress.epoch} of {options.epochs}, loss {loss:.4f}")
    show_progress("")


@wi.section("save")
def write_down(progress, epoch, loss, log, series):
    """Log an epoch, then save its checkpoint: a row that no checkpoint knows of is cut by the next start."""
    progress.epoch = epoch
    log.row(epoch, loss)
    log.sync()
    progress.save(series, loss)


def setting_of(options):
    """Return what the numbers depend on."""
    names = "batch_size", "hidden", "learning_rate", "seed"
    return {name: getattr(options, name) for name in names}


def guarded(epoch, function, *arguments):
    """Return what the function does; end the program if the training has diverged in it."""
    try:
        with np.errstate(over="ignore", invalid="ignore"), wi.fp_guard("invalid", "overflow"):  # no warnings as well
            return function(*arguments)
    except FloatingPointError as error:
        show_progress("")
        sys.exit(f"train.py: epoch {epoch}: {error}: try a smaller --learning-rate")


@wi.section("evaluate")
def accuracy(network, images, labels):
    """Return the share of the digits that get the highest score for what they are."""
    _, scores = network.forward(images)
    return np.mean(scores.argmax(axis=1) == labels)


def main():
    """Train, and tell how good the network is. SIGTERM and Ctrl-C end it; the next start goes on from a checkpoint."""
    options = read_options()
    params = {"epochs": options.epochs, **setting_of(options)}
    with wi.interrupts(), wi.run("digits", params=params) as run, wi.temporary_seed(options.seed) as random:
        learnt, held_out = split_digits(random)
        network = Network(learnt[0].shape[1], options.hidden, CLASSES, random)
        train(network, learnt, held_out, options, random)
        share = accuracy(network, *held_out)
        run.log_artifact(options.csv, "digits.csv")
        run.set_tag("verdict", "learnt" if share > ENOUGH else "not learnt")
    print(f"accuracy {100 * share:.1f} % on {HELD_OUT} digits held out, after {options.epochs} epochs")
    sys.exit(0 if share > ENOUGH else 1)


if __name__ == "__main__":
    main()
