//! A minimal load balancer: forwards TCP connections round robin to the replicas that accept them, or all to a selected
//! one. Skips a replica that refuses connections, as a proxy with health checks does.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// No replica is selected: round robin.
const IN_TURN: usize = usize::MAX;

pub struct Balancer {
    /// The public address.
    pub address: SocketAddr,
    only: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Starts a balancer on a free port; returns it with the ports on which its replicas must listen.
    pub async fn before(replicas: usize) -> (Self, Vec<SocketAddr>) {
        let mut taken = Vec::new();
        for _ in 0..replicas {
            taken.push(TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port"));
        }
        let behind: Vec<SocketAddr> = taken.iter().map(|port| port.local_addr().expect("a port")).collect();
        drop(taken);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a port");
        let only = Arc::new(AtomicUsize::new(IN_TURN));
        let task = tokio::spawn(forward(listener, behind.clone(), only.clone()));
        (Self { address, only, task }, behind)
    }

    /// Sends every new connection to this replica.
    pub fn only(&self, replica: usize) {
        self.only.store(replica, Ordering::SeqCst);
    }

    pub fn in_turn(&self) {
        self.only.store(IN_TURN, Ordering::SeqCst);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(listener: TcpListener, behind: Vec<SocketAddr>, only: Arc<AtomicUsize>) {
    let mut turn = 0;
    while let Ok((mut client, _)) = listener.accept().await {
        let (behind, named) = (behind.clone(), only.load(Ordering::SeqCst));
        turn += 1;
        tokio::spawn(async move {
            let order: Vec<SocketAddr> = match behind.get(named) {
                Some(one) => vec![*one],
                None => (0..behind.len()).map(|step| behind[(turn + step) % behind.len()]).collect(),
            };
            for replica in order {
                if let Ok(mut server) = TcpStream::connect(replica).await {
                    // When one side closes, the other gets the end of its stream.
                    copy_bidirectional(&mut client, &mut server).await.ok();
                    return;
                }
            }
        });
    }
}
