"""Fitting a network, keeping the best epoch, and the model file (METHOD section 4)."""
