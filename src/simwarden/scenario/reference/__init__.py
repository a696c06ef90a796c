"""Reference pages in Markdown, made of what the installed elements declare and of what scenarios show."""
