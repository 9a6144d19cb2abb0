"""Whole programs and the observations they run on, generated for every agreement and soundness test."""
