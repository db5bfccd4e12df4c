"""The Flink functions: open state, decode, call a kernel, emit, count."""
