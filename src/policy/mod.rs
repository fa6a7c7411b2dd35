//! What principals may do: IAM snapshots, and what their policies grant. Pure: the same inputs give the same bytes.

pub mod snapshot;
