//! Connecting: sockets and TCP, TLS with libpq's meanings of `sslmode`, and a session the server keeps from writing.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use secrecy::ExposeSecret;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{CancelToken, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::dsn::{Dsn, Host, ServerDsn, TlsMode};
use crate::session::{Limits, SessionError, SessionErrorKind};

/// An open connection.
pub(crate) struct Connected {
    pub client: Client,
    pub driver: JoinHandle<()>,
}

/// What the server is told when a session starts. Poolers refuse it; that every transaction begins as a reading one is
/// then all there is.
const READ_ONLY: &str = "-c default_transaction_read_only=on";

/// The settings every transaction begins with. They end with it, so that `pg_settings` still knows the values that hold
/// for others: what a session starts with is taken there for what was configured.
pub(super) fn transaction_settings(limits: &Limits) -> Vec<(&'static str, String)> {
    vec![
        ("statement_timeout", limits.statement_timeout.as_millis().max(1).to_string()),
        ("lock_timeout", limits.lock_timeout.as_millis().max(1).to_string()),
        (
            "idle_in_transaction_session_timeout",
            (limits.statement_timeout + Duration::from_secs(15)).as_millis().to_string(),
        ),
        ("search_path", "pg_catalog".to_owned()),
        // Compiling a statement that runs once takes longer than running it.
        ("jit", "off".to_owned()),
        // One process of the server is enough for us; the others belong to those who came to work.
        ("max_parallel_workers_per_gather", "0".to_owned()),
        // The joins over a large catalog then stay in memory.
        ("work_mem", "32MB".to_owned()),
    ]
}

/// Opens a connection.
pub(crate) async fn connect(dsn: &ServerDsn, limits: &Limits) -> Result<Connected, SessionError> {
    let tls = TlsSetup::of(dsn)?;
    let mut with_options = true;
    let mut plain = tls.mode == SslMode::Disable;
    loop {
        let attempt = attempt(dsn, limits, &tls, with_options, plain);
        let result = match tokio::time::timeout(limits.connect_timeout, attempt).await {
            Ok(result) => result,
            Err(_) => {
                return Err(SessionError {
                    kind: SessionErrorKind::Connection,
                    message: format!(
                        "`{}` did not answer within {} s",
                        place(dsn),
                        limits.connect_timeout.as_secs()
                    ),
                    hint: Some("check host, port and firewall".to_owned()),
                });
            }
        };
        match result {
            Ok((client, driver)) => return Ok(Connected { client, driver }),
            Err(error) if with_options && refuses_startup_options(&error) => with_options = false,
            // As libpq does: what `prefer` cannot have encrypted, it has plain.
            Err(error) if !plain && dsn.tls.mode == TlsMode::Prefer && may_work_plain(&error) => plain = true,
            Err(error) => return Err(describe(&error, dsn, &tls)),
        }
    }
}

/// Asks the server to stop what another connection is doing.
pub(super) async fn cancel(token: &CancelToken, dsn: &ServerDsn) -> Result<(), String> {
    let tls = TlsSetup::of(dsn).map_err(|error| error.message)?;
    let result = match tls.config {
        Some(config) => token.cancel_query(MakeRustlsConnect::new(config)).await,
        None => token.cancel_query(NoTls).await,
    };
    result.map_err(|error| error.to_string())
}

async fn attempt(
    dsn: &ServerDsn,
    limits: &Limits,
    tls: &TlsSetup,
    with_options: bool,
    plain: bool,
) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
    let mut config = Config::new();
    match &dsn.host {
        Host::Tcp(host) => config.host(host),
        Host::Unix(directory) => config.host_path(directory),
    };
    config
        .port(dsn.port)
        .user(&dsn.user)
        .application_name("dbwright")
        .connect_timeout(limits.connect_timeout);
    if let Some(password) = &dsn.password {
        config.password(password.expose_secret());
    }
    if !dsn.database.is_empty() {
        config.dbname(&dsn.database);
    }
    if with_options {
        config.options(READ_ONLY);
    }
    match tls.config.clone().filter(|_| !plain) {
        Some(client_config) => {
            config.ssl_mode(tls.mode);
            let (client, connection) = config.connect(MakeRustlsConnect::new(client_config)).await?;
            Ok((client, tokio::spawn(drive(connection))))
        }
        None => {
            config.ssl_mode(SslMode::Disable);
            let (client, connection) = config.connect(NoTls).await?;
            Ok((client, tokio::spawn(drive(connection))))
        }
    }
}

/// Moves bytes until the connection ends. Its error reaches whoever waits for an answer as a closed connection.
async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    let _ = connection.await;
}

fn refuses_startup_options(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| {
        let message = error.message().to_lowercase();
        matches!(error.code().code(), "08P01" | "0A000")
            && (message.contains("option") || message.contains("startup"))
    })
}

fn may_work_plain(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        // No line of pg_hba.conf for encrypted connections.
        Some(error) => error.code().code() == "28000",
        None => error.to_string().contains("TLS"),
    }
}

fn place(dsn: &ServerDsn) -> String {
    match &dsn.host {
        Host::Tcp(host) if host.contains(':') => format!("[{host}]:{}", dsn.port),
        Host::Tcp(host) => format!("{host}:{}", dsn.port),
        Host::Unix(directory) => format!("{}/.s.PGSQL.{}", directory.display(), dsn.port),
    }
}

fn describe(error: &tokio_postgres::Error, dsn: &ServerDsn, tls: &TlsSetup) -> SessionError {
    let place = place(dsn);
    let made = |kind, message: String, hint: &str| SessionError {
        kind,
        message,
        hint: (!hint.is_empty()).then(|| hint.to_owned()),
    };
    if let Some(server) = error.as_db_error() {
        let message = server.message();
        return match server.code().code() {
            "28P01" => made(
                SessionErrorKind::Authentication,
                format!("`{place}` refuses the password of `{}`", dsn.user),
                "check user and password",
            ),
            "28000" => made(
                SessionErrorKind::Authentication,
                format!("`{place}` does not let `{}` in: {message}", dsn.user),
                "check the user, the lines of `pg_hba.conf` and `sslmode`",
            ),
            "42501" => made(
                SessionErrorKind::Authentication,
                format!("`{place}` does not let `{}` in: {message}", dsn.user),
                "let the role be granted `CONNECT` on the database, or name another one",
            ),
            "3D000" => made(
                SessionErrorKind::Connection,
                format!("`{place}` has no database `{}`", dsn.database),
                "check the database name; `psql -l` lists them",
            ),
            "53300" => made(
                SessionErrorKind::Connection,
                format!("`{place}` has no connection left: {message}"),
                "close idle sessions, or connect as a role that may use reserved connections",
            ),
            "57P03" => made(
                SessionErrorKind::Connection,
                format!("`{place}` is not ready: {message}"),
                "try again in a moment",
            ),
            code => made(SessionErrorKind::Connection, format!("`{place}` refuses: {message} ({code})"), ""),
        };
    }
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let text = error.to_string();
    if text.contains("TLS") {
        let hint = if matches!(tls.mode, SslMode::Require) && cause.contains("not support") {
            "the server offers no TLS; set `sslmode=disable` if that is acceptable"
        } else {
            "check `sslmode` and `sslrootcert`"
        };
        return made(
            SessionErrorKind::Connection,
            format!("could not protect the connection to `{place}`: {cause}"),
            hint,
        );
    }
    if text.contains("password missing") || cause.contains("password missing") {
        return made(
            SessionErrorKind::Authentication,
            format!("`{place}` asks for a password of `{}`", dsn.user),
            "put it into the target or into `PGPASSWORD`",
        );
    }
    if text.contains("authenticat") {
        return made(SessionErrorKind::Authentication, format!("could not log in to `{place}`: {cause}"), "");
    }
    made(
        SessionErrorKind::Connection,
        format!("could not reach `{place}`: {cause}"),
        "check that the server runs and that host and port are right",
    )
}

/// How a connection is encrypted.
struct TlsSetup {
    mode: SslMode,
    config: Option<ClientConfig>,
}

impl TlsSetup {
    fn of(dsn: &ServerDsn) -> Result<Self, SessionError> {
        let mode = match (&dsn.host, dsn.tls.mode) {
            // As with libpq, sockets are never encrypted.
            (Host::Unix(_), _) | (_, TlsMode::Disable) => {
                return Ok(TlsSetup { mode: SslMode::Disable, config: None });
            }
            (_, TlsMode::Prefer) => SslMode::Prefer,
            _ => SslMode::Require,
        };
        let roots = dsn.tls.root_certificate.as_deref();
        let verify = match dsn.tls.mode {
            TlsMode::VerifyFull => Verify::Everything,
            TlsMode::VerifyCa => Verify::Authority,
            // As with libpq, `require` with a root certificate verifies the authority.
            TlsMode::Require if roots.is_some() => Verify::Authority,
            _ => Verify::Nothing,
        };
        let config = client_config(verify, roots).map_err(|message| SessionError {
            kind: SessionErrorKind::Usage,
            message,
            hint: Some("check `sslrootcert`".to_owned()),
        })?;
        Ok(TlsSetup { mode, config: Some(config) })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Verify {
    Nothing,
    Authority,
    Everything,
}

fn client_config(verify: Verify, roots: Option<&Path>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Option<Arc<dyn ServerCertVerifier>> = match (verify, roots) {
        (Verify::Nothing, _) => None,
        (_, Some(path)) => Some(root_verifier(path, &provider)?),
        (_, None) => Some(Arc::new(
            rustls_platform_verifier::Verifier::new(provider.clone())
                .map_err(|error| format!("the system's trusted certificates cannot be read: {error}"))?,
        )),
    };
    let verifier =
        Verifier { check_name: verify == Verify::Everything, inner: verifier, provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

fn root_verifier(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let trouble =
        |error: &dyn std::fmt::Display| format!("`{}` holds no usable certificate: {error}", path.display());
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| trouble(&error))? {
        let certificate = certificate.map_err(|error| trouble(&error))?;
        store.add(certificate).map_err(|error| trouble(&error))?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
        .build()
        .map_err(|error| trouble(&error))?;
    Ok(verifier)
}

/// Verifies nothing, the authority only, or authority and host name.
#[derive(Debug)]
struct Verifier {
    inner: Option<Arc<dyn ServerCertVerifier>>,
    check_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last, so everything else was in order.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.check_name => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The target without its password, for reports.
pub(super) fn target(dsn: &ServerDsn) -> String {
    Dsn::Postgres(dsn.clone()).to_string()
}
