"""Contents of a report as plain data: curve, accepted steps, rejections, proof, held-out scores."""
