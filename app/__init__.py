"""The Streamlit app: a router, views, components and charts over what the backend writes."""
