"""Training: `Trainer`, which `Model` is, the programs of its steps, and the adapters for data."""
