"""Alembic's entry: runs the revisions on the connection that `migrations.upgrade` hands over."""

from alembic import context

from tshdb.schema import Base

connection = context.config.attributes.get("connection")
if connection is None:  # called as `alembic ...` by a developer, with the URL of alembic.ini
    from tshdb.database import create, writing

    with writing(create(context.config.get_main_option("sqlalchemy.url"))) as own:
        context.configure(connection=own, target_metadata=Base.metadata, render_as_batch=True)
        context.run_migrations()
else:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    context.run_migrations()
