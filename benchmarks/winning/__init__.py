"""Parts of the benchmark of winning back."""
