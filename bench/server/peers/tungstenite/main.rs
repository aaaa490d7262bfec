// A pair relay on tokio-tungstenite, one thread: pairs by arrival, forwards text, closes both. `tungstenite_pairs PORT`
use futures_util::{SinkExt, StreamExt};
use std::{cell::RefCell, env, rc::Rc};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{unbounded_channel, UnboundedSender};
use tokio_tungstenite::{accept_async, tungstenite::Message};

type Out = UnboundedSender<Message>;

// One side: how to reach it, and the partner once there is one.
struct Side {
    out: Out,
    partner: RefCell<Option<Rc<Side>>>,
}

type Waiting = Rc<RefCell<Option<Rc<Side>>>>;

fn arrive(me: &Rc<Side>, waiting: &Waiting) {
    let other = waiting.borrow_mut().take();
    match other {
        None => *waiting.borrow_mut() = Some(me.clone()),
        Some(other) => {
            for side in [&other, me] {
                let _ = side.out.send(Message::Text(r#"{"type":"matched"}"#.into()));
            }
            *other.partner.borrow_mut() = Some(me.clone());
            *me.partner.borrow_mut() = Some(other);
        }
    }
}

fn leave(me: &Rc<Side>, waiting: &Waiting) {
    if waiting.borrow().as_ref().is_some_and(|side| Rc::ptr_eq(side, me)) {
        waiting.borrow_mut().take();
    }
    if let Some(partner) = me.partner.borrow_mut().take() {
        partner.partner.borrow_mut().take();
        let _ = partner.out.send(Message::Close(None));
    }
}

async fn serve(stream: TcpStream, waiting: Waiting) {
    let _ = stream.set_nodelay(true);
    let Ok(mut socket) = accept_async(stream).await else { return };
    let (out, mut inbox) = unbounded_channel();
    let me = Rc::new(Side { out, partner: RefCell::new(None) });
    arrive(&me, &waiting);
    loop {
        tokio::select! {
            heard = socket.next() => match heard {
                Some(Ok(message)) if message.is_text() => {
                    if let Some(partner) = me.partner.borrow().as_ref() {
                        let _ = partner.out.send(message);
                    }
                }
                Some(Ok(_)) => {}
                _ => break,
            },
            Some(message) = inbox.recv() => {
                if socket.send(message).await.is_err() {
                    break;
                }
            }
        }
    }
    leave(&me, &waiting);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = env::args().last().expect("a port");
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("cannot listen");
    let waiting: Waiting = Rc::default();
    let tasks = tokio::task::LocalSet::new();
    tasks
        .run_until(async {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::task::spawn_local(serve(stream, waiting.clone()));
                }
            }
        })
        .await;
}
