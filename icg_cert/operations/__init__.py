"""Whether the portal runs: what its jobs did, what waits for them, and who is told when they stop."""
