"""Whether a fleet is fit for production: checklists of which each row says what it rests on. One row, one file."""
