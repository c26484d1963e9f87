//! What the operations on the record of migrations reply is described in `docs/migrate.schema.json`.

use std::path::Path;

use dbwright_service::ops::migrate::baseline::BaselineReply;
use dbwright_service::ops::migrate::repair::RepairReply;
use dbwright_service::ops::migrate::squash::SquashReply;
use dbwright_service::ops::migrate::status::StatusReply;
use dbwright_service::ops::migrate::verify::VerifyReply;
use schemars::JsonSchema;

/// What `dbwright migrate COMMAND --format json` prints, by command.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is of interest")]
struct Replies {
    status: StatusReply,
    verify: VerifyReply,
    repair: RepairReply,
    baseline: BaselineReply,
    squash: SquashReply,
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/migrate.schema.json");
    let mut schema =
        serde_json::to_string_pretty(&schemars::schema_for!(Replies)).expect("a schema is plain data");
    schema.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &schema).expect("the schema can be written");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == schema,
        "docs/migrate.schema.json is not that of the types; run the test again with UPDATE_SCHEMA=1 and read the difference"
    );
}
