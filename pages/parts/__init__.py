"""What each page is made of: one file or folder per page, named like the page.

In: the run on screen, and the service. Out: widgets, figures and texts on screen.
A part imports `pages.shared` and the library, never another page's part; what two pages need goes to `pages/shared/`.
Open first: the page itself (`pages/NAME.py`), which calls its sections in order; then its part.
"""
