"""Programs that turn venue files and the simulator into market frames on Kafka."""
