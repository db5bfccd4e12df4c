"""What the kernels make of the stored frames in this process, without a cluster, and how that compares with what was served."""
