// A pair relay on gorilla/websocket: pairs by arrival, forwards text, closes both. `gorilla_pairs PORT`
package main

import (
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
)

// One side; a socket has one writer at a time.
type side struct {
	socket  *websocket.Conn
	writing sync.Mutex
	partner *side
}

var (
	upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	lock     sync.Mutex
	waiting  *side
)

func (s *side) say(kind int, data []byte) {
	s.writing.Lock()
	s.socket.WriteMessage(kind, data)
	s.writing.Unlock()
}

// Who waits becomes the partner, or the newcomer waits.
func arrive(s *side) {
	lock.Lock()
	defer lock.Unlock()
	if waiting == nil {
		waiting = s
		return
	}
	s.partner, waiting.partner, waiting = waiting, s, nil
	s.partner.say(websocket.TextMessage, []byte(`{"type":"matched"}`))
	s.say(websocket.TextMessage, []byte(`{"type":"matched"}`))
}

func of(s *side) *side {
	lock.Lock()
	defer lock.Unlock()
	return s.partner
}

func leave(s *side) {
	lock.Lock()
	partner := s.partner
	if waiting == s {
		waiting = nil
	}
	if partner != nil {
		s.partner, partner.partner = nil, nil
	}
	lock.Unlock()
	if partner != nil {
		partner.say(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""))
	}
	s.socket.Close()
}

func serve(w http.ResponseWriter, r *http.Request) {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	s := &side{socket: socket}
	defer leave(s)
	arrive(s)
	var partner *side
	for {
		kind, data, err := socket.ReadMessage()
		if err != nil {
			return
		}
		if partner == nil {
			partner = of(s)
		}
		if partner != nil {
			partner.say(kind, data)
		}
	}
}

func main() {
	http.HandleFunc("/", serve)
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[len(os.Args)-1], nil))
}
