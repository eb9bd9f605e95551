"""A network of two layers, its loss, and the rule by which it learns."""

import numpy as np


class Network:
    """Rectified linear units, then one score for each class.

    Parameters
    ----------
    inputs, hidden, classes : int
        The width of an image, of the layer in between, and of the result.
    random : numpy.random.Generator
        The weights begin with normal numbers, of a variance that keeps the signal's from layer to
        layer (He, Zhang, Ren & Sun, ICCV 2015, 1026-1034, eq. 10); the biases with zeros.
    """

    def __init__(self, inputs, hidden, classes, random):
        self.parameters = [
            random.normal(0, np.sqrt(2 / inputs), (inputs, hidden)),
            np.zeros(hidden),
            random.normal(0, np.sqrt(2 / hidden), (hidden, classes)),
            np.zeros(classes),
        ]

    def forward(self, images):
        """Return what the units make of images (n, inputs), and the scores (n, classes)."""
        weights, bias, class_weights, class_bias = self.parameters
        units = np.maximum(images @ weights + bias, 0)
        return units, units @ class_weights + class_bias

    def backward(self, images, units, slope):
        """Return the gradient for each parameter, from the loss's slope (n, classes) by the scores."""
        class_weights = self.parameters[2]
        unit_slope = (slope @ class_weights.T) * (units > 0)
        return [images.T @ unit_slope, unit_slope.sum(axis=0), units.T @ slope, slope.sum(axis=0)]


def cross_entropy(scores, labels):
    """Return the mean loss in nats of softmax(scores), and its slope by the scores.

    Parameters
    ----------
    scores : array of shape (n, classes)
    labels : int array of shape (n,)
        The true classes.
    """
    shifted = scores - scores.max(axis=1, keepdims=True)  # no exponential overflows
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    each = np.arange(len(labels))
    slope = np.exp(logarithms)
    slope[each, labels] -= 1
    return -logarithms[each, labels].mean(), slope / len(labels)


class Momentum:
    """Gradient descent with momentum, the heavy ball of Polyak (USSR Comput. Math. Math. Phys. 4(5), 1964, 1-17)."""

    def __init__(self, parameters, learning_rate, momentum=0.9):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocities = [np.zeros_like(parameter) for parameter in parameters]

    def update(self, gradients):
        """Move the parameters, in place."""
        for parameter, velocity, gradient in zip(self.parameters, self.velocities, gradients):
            velocity *= self.momentum
            velocity -= self.learning_rate * gradient
            parameter += velocity
