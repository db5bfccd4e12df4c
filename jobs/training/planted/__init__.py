"""Made-up markets whose expected returns are known, and what the pipeline finds in them."""
