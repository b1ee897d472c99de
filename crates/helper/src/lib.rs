//! The helper process: HTTPS API, mutual TLS between helpers, store and coordinator driven
