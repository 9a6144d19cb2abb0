"""Tuning (`hl tune`): CMA-ES over a program's parameters inside their proved ranges; the structure stays."""
