"""Readers of products: one module for each kind, which finds products and says where their bands are."""
