"""What models mix into Markdown, read for every platform: HTML, formulas, boxes and the like."""
