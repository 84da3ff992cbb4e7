"""From what servers, filters and probes tell to the ten indicators: what is counted, in cells of time, and merged."""
