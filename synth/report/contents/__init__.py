"""Contents of a report, read from the run folder as plain data: curve, accepted steps, rejections, proof, held-out scores."""
