"""Errors of the core that come out of it as Python's exceptions."""

import pickle

import within


def test_damaged_data_is_a_value_error_of_its_own():
    assert issubclass(within.DataError, ValueError)
    assert within.DataError.__module__ == "within"
    error = pickle.loads(pickle.dumps(within.DataError("a.ckpt: one bit is wrong")))
    assert type(error) is within.DataError and str(error) == "a.ckpt: one bit is wrong"
