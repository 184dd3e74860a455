"""Tests; the fakes beside this file stand in for adapters."""
