"""Pure market computations: arrays in, arrays out; no Flink, no input or output, no wall clock."""
