// The reader and writer that sp is measured against: the record as the original
// declares it, over serde_json.
//
//   serde-peer find FILE ID      reads the file and prints the URL of one tenant
//   serde-peer rewrite FILE TO   reads the file and writes it again, 0600
//
// Reading is read_to_string, from_str and the original's validation; writing is
// to_string_pretty, fs::write and chmod. That is neither durable nor atomic.
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;
use std::{env, fs};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

type Failure = Box<dyn std::error::Error>;

#[derive(Serialize, Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum TenantType {
    #[default]
    Local,
    Cloud,
}

#[derive(Serialize, Deserialize)]
struct Tenant {
    id: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hostname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    internal_database_url: Option<String>,
    #[serde(default)]
    tenant_type: TenantType,
    #[serde(default)]
    external_db_access: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sync_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shared_container_db: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Store {
    tenants: Vec<Tenant>,
    synced_at: DateTime<Utc>,
}

fn load(path: &str) -> Result<Store, Failure> {
    let store: Store = serde_json::from_str(&fs::read_to_string(path)?)?;
    for tenant in &store.tenants {
        if tenant.id.is_empty() || tenant.name.is_empty() {
            return Err("a tenant without an id or a name".into());
        }
    }
    Ok(store)
}

fn find(path: &str, id: &str) -> Result<(), Failure> {
    let store = load(path)?;
    let tenant = store.tenants.iter().find(|t| t.id == id).ok_or("no such tenant")?;
    let url = match tenant.tenant_type {
        TenantType::Local => &tenant.database_url,
        TenantType::Cloud => &tenant.internal_database_url,
    };
    println!("{}", url.as_deref().ok_or("no URL")?);
    Ok(())
}

fn rewrite(path: &str, to: &str) -> Result<(), Failure> {
    fs::write(to, serde_json::to_string_pretty(&load(path)?)?)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["find", file, id] => find(file, id),
        ["rewrite", file, to] => rewrite(file, to),
        _ => Err("usage: serde-peer find FILE ID | rewrite FILE TO".into()),
    };
    if let Err(failure) = done {
        eprintln!("serde-peer: {failure}");
        return ExitCode::from(1);
    }
    ExitCode::SUCCESS
}
