"""Simulator back ends behind one interface: one module for each simulator, and the registry that lists them."""
