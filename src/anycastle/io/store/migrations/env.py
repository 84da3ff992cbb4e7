"""What alembic runs: on a connection that is handed over, in its transaction."""

from alembic import context

from anycastle.io.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
context.run_migrations()
