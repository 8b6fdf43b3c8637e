"""How an answer is shown while it is being written: pace, pages, previews."""
