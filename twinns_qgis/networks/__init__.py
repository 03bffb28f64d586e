"""The networks (METHOD sections 2 and 3), on Keras alone: TensorFlow, JAX and PyTorch run them alike."""
