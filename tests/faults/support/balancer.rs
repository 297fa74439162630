//! A load balancer of the least kind: TCP connections in turn to whichever replica takes them, or all to one that is named.
//! A replica that is gone is passed over, as a proxy does whose health check failed.

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

/// No replica is named: each in turn.
const IN_TURN: usize = usize::MAX;

pub struct Balancer {
    /// What people type.
    pub address: SocketAddr,
    only: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Balancer {
    /// A balancer on a free port, and the ports that its replicas have to listen on.
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

    /// From now on every connection goes to this replica.
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
                    // whichever side goes away, the other is told by the end of its stream
                    copy_bidirectional(&mut client, &mut server).await.ok();
                    return;
                }
            }
        });
    }
}
