"""From files to ranked hits: paragraphs, embeddings, the durable index and hybrid search."""
