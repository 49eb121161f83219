"""The pages over an index, as a Datasette plugin. Reads rows and bytes handed in; opens no WARC."""
