"""What the farm page reads: workers, classes of card, throughput, batches, the job list. Constant queries each."""
