"""What several pages use, and the only code that touches Streamlit's session.

In: the link of the page and the session of its viewer. Out: the run on screen, charts, texts, links to share.
Imports the library, never a page's part.
Open first: `shell.py`, which every page calls first; then `run_picker.py` and `charts.py`.
"""
