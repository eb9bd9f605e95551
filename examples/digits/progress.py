"""How far a training has come, and the checkpoints that it goes on from."""

import json

import numpy as np


class Progress:
    """What a training needs to go on: the network, the rule's velocities, the random numbers, and the epoch.

    Parameters
    ----------
    network : Network
    rule : Momentum
    random : numpy.random.Generator
    setting : dict
        What the numbers depend on; a training with another one does not go on from here.
    """

    def __init__(self, network, rule, random, setting):
        self.arrays = network.parameters + rule.velocities
        self.random = random
        self.setting = json.dumps(setting, sort_keys=True)
        self.epoch = 0

    def save(self, series, loss):
        """Save a checkpoint."""
        state = json.dumps(self.random.bit_generator.state)
        with series.save(step=self.epoch, loss=loss) as path:
            np.savez(path, *self.arrays, setting=self.setting, random=state)

    def resume(self, series, epochs):
        """Go to where the newest checkpoint was, if that is of this setting and before the last epoch."""
        newest = series.latest()
        if newest is None or newest.step >= epochs:
            return
        with np.load(newest.path) as saved:
            if str(saved["setting"]) != self.setting:
                return
            for index, array in enumerate(self.arrays):
                array[...] = saved[f"arr_{index}"]
            self.random.bit_generator.state = json.loads(str(saved["random"]))
        self.epoch = newest.step
