"""One typed stream of what happened, and its sinks. Expectations, ladders, captures and reports read nothing else."""
