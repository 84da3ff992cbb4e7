"""The field's nouns as frozen, slotted values."""
