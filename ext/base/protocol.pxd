"""Declare the numbers, codes and sentences of the protocol as C constants.

Generated from engine/wire/protocol.py by `python -m engine.wire.protocol_copy_generator`: do not edit; a test compares the two.
"""

# Import constants by name: `from ext.base.protocol cimport CLOSE_FLOOD, CODE_FLOOD, WORDS_FLOOD`. Numbers are constants of C.
# Each fault has CODE_, the `code` of its `error` frame, and WORDS_, the `message`, both plain ASCII without a character that JSON
# escapes; one that ends the connection has CLOSE_ too. They are C literals, usable without the GIL: `snprintf(out, size,
# '{"type":"error","code":"%s","message":"%s"}', CODE_SLOW, WORDS_SLOW)`; in Python code `<bytes>WORDS_SLOW` is the text.


cdef enum:  # kinds of events
    EVENT_OPENED = 0
    EVENT_FRAME = 1
    EVENT_LOST = 2
    EVENT_CONFIRMED = 3
    EVENT_HTTP = 4
    EVENT_FRAMES = 5
    EVENT_UNTUNNELLED = 6
    EVENT_RECORD = 7
    EVENT_HALVED = 8

cdef enum:  # how a connection was lost
    LOST_LEFT = 0
    LOST_DROPPED = 1
    LOST_BROKEN = 2
    LOST_FLOODED = 3
    LOST_CLOSED = 4

cdef enum:  # how a tunnel ended
    TUNNEL_ENDED = 0
    TUNNEL_BROKE = 1
    TUNNEL_CLOSED = 2
    TUNNEL_LEFT = 3

cdef enum:  # how a connection came, by bits
    WAY_PLAIN = 1
    WAY_PRIVATE = 2

cdef enum:  # levels, and the part of the weight that makes an overlap good
    GOOD = 0
    ANY = 1
    ANYONE = 2
    LIFTED = 3
    GOOD_PART = 2

cdef enum:  # close codes that no fault has
    CLOSE_LEFT = 1000
    CLOSE_AWAY = 1001
    CLOSE_NONE = 1006

cdef enum:  # bounds: bytes, code points, messages, seconds
    FRAME_MAX = 65536
    TEXT_MAX = 2000
    ID_MAX = 64
    ID_ESCAPED_MAX = 384
    SDP_MAX = 32768
    UNSENT_MESSAGES = 200
    UNSENT_BYTES = 65536
    REFUSED_KEPT = 200
    TAKE_SECONDS = 20
    TOO_FAST_RETRY_AFTER = 1
    FLOOD_RETRY_AFTER = 10
    FULL_AFTER_LEAST = 5
    FULL_AFTER_MOST = 30
    SIDES = 3
    WATCHER = 2

cdef enum:  # pings: seconds
    PING_AFTER = 25
    PONG_WITHIN = 20

cdef enum:  # rates: the size of a burst, then the number per second; newcomers per address
    MESSAGE_BURST = 100
    MESSAGE_RATE = 20
    SIGNAL_BURST = 100
    SIGNAL_RATE = 20
    FRAME_BURST = 250
    FRAME_RATE = 50
    REFUSAL_BURST = 1000
    REFUSAL_RATE = 20
    BYTES_BURST = 1048576
    BYTES_RATE = 262144
    NEWCOMERS = 250

cdef enum:  # close codes
    CLOSE_PROTOCOL = 1002
    CLOSE_BINARY = 1003
    CLOSE_ENCODING = 1007
    CLOSE_TOO_BIG = 1009
    CLOSE_INTERNAL = 1011
    CLOSE_RESTART = 1012
    CLOSE_BUSY = 1013
    CLOSE_BANNED = 4003
    CLOSE_COUNTRY = 4003
    CLOSE_REMOVED = 4003
    CLOSE_FLOOD = 4008
    CLOSE_REPLACED = 4009

cdef extern from *:
    """
    #define SERENDIP_CODE_BAD_JSON "bad_json"
    #define SERENDIP_WORDS_BAD_JSON "The frame is not one JSON object."
    #define SERENDIP_CODE_BAD_TYPE "bad_type"
    #define SERENDIP_WORDS_BAD_TYPE "This type of frame is unknown, or has no place here."
    #define SERENDIP_CODE_BAD_FIELD "bad_field"
    #define SERENDIP_WORDS_BAD_FIELD "A field is missing, of a wrong type, or has a value that is not allowed."
    #define SERENDIP_CODE_TOO_LONG "too_long"
    #define SERENDIP_WORDS_TOO_LONG "A field is longer than allowed."
    #define SERENDIP_CODE_EMPTY "empty"
    #define SERENDIP_WORDS_EMPTY "A text has no characters."
    #define SERENDIP_CODE_CONTROL "control"
    #define SERENDIP_WORDS_CONTROL "A text holds a control character or half a character."
    #define SERENDIP_CODE_NO_CHAT "no_chat"
    #define SERENDIP_WORDS_NO_CHAT "There is no chat."
    #define SERENDIP_CODE_NOT_WAITING "not_waiting"
    #define SERENDIP_WORDS_NOT_WAITING "You are neither in a chat nor waiting."
    #define SERENDIP_CODE_SLOW "slow"
    #define SERENDIP_WORDS_SLOW "Your partner takes messages too slowly; this one was not delivered."
    #define SERENDIP_CODE_TOO_FAST "too_fast"
    #define SERENDIP_WORDS_TOO_FAST "Too fast. Wait a moment."
    #define SERENDIP_CODE_NO_SESSION "no_session"
    #define SERENDIP_WORDS_NO_SESSION "That session cannot be resumed; this connection goes on as a new one."
    #define SERENDIP_CODE_NO_COLLEGE "no_college"
    #define SERENDIP_WORDS_NO_COLLEGE "There is no valid proof of a college address."
    #define SERENDIP_CODE_NO_TURN "no_turn"
    #define SERENDIP_WORDS_NO_TURN "This server has no relay for video."
    #define SERENDIP_CODE_NOT_SAVED "not_saved"
    #define SERENDIP_WORDS_NOT_SAVED "The chat could not be saved."
    #define SERENDIP_CODE_CHALLENGE "challenge"
    #define SERENDIP_WORDS_CHALLENGE "The challenge comes first."
    #define SERENDIP_CODE_ADULT "adult"
    #define SERENDIP_WORDS_ADULT "Only adults may use this service."
    #define SERENDIP_CODE_NOTICE "notice"
    #define SERENDIP_WORDS_NOTICE "There is a notice to read first."
    #define SERENDIP_CODE_SNAPS "snaps"
    #define SERENDIP_WORDS_SNAPS "Video is not possible now: its pictures cannot be checked."
    #define SERENDIP_CODE_PICTURES "pictures"
    #define SERENDIP_WORDS_PICTURES "Pictures cannot be sent in this chat now."
    #define SERENDIP_CODE_NO_PICTURE "no_picture"
    #define SERENDIP_WORDS_NO_PICTURE "This picture is not shown to your partner."
    #define SERENDIP_CODE_NO_PAIR "no_pair"
    #define SERENDIP_WORDS_NO_PAIR "These two cannot keep in touch: one side has no cookie, or was reported."
    #define SERENDIP_CODE_MAINTENANCE "maintenance"
    #define SERENDIP_WORDS_MAINTENANCE "No new chats begin during maintenance; running ones continue."
    #define SERENDIP_CODE_PROTOCOL "protocol"
    #define SERENDIP_WORDS_PROTOCOL "This is not a WebSocket frame that the protocol allows."
    #define SERENDIP_CODE_BINARY "binary"
    #define SERENDIP_WORDS_BINARY "Only text frames are spoken here."
    #define SERENDIP_CODE_ENCODING "encoding"
    #define SERENDIP_WORDS_ENCODING "A text frame is not UTF-8."
    #define SERENDIP_CODE_TOO_BIG "too_big"
    #define SERENDIP_WORDS_TOO_BIG "A frame or message is larger than 64 KiB."
    #define SERENDIP_CODE_INTERNAL "internal"
    #define SERENDIP_WORDS_INTERNAL "The server failed."
    #define SERENDIP_CODE_RESTART "restart"
    #define SERENDIP_WORDS_RESTART "The server restarts; come back in a moment."
    #define SERENDIP_CODE_BUSY "busy"
    #define SERENDIP_WORDS_BUSY "The server is full; come back in a moment."
    #define SERENDIP_CODE_BANNED "banned"
    #define SERENDIP_WORDS_BANNED "You are banned."
    #define SERENDIP_CODE_COUNTRY "country"
    #define SERENDIP_WORDS_COUNTRY "This service is not offered in your country."
    #define SERENDIP_CODE_REMOVED "removed"
    #define SERENDIP_WORDS_REMOVED "An operator of this service ended your session."
    #define SERENDIP_CODE_FLOOD "flood"
    #define SERENDIP_WORDS_FLOOD "Too much, too fast. Come back later."
    #define SERENDIP_CODE_REPLACED "replaced"
    #define SERENDIP_WORDS_REPLACED "Another connection goes on with this session."
    """
    const char *CODE_BAD_JSON "SERENDIP_CODE_BAD_JSON"
    const char *WORDS_BAD_JSON "SERENDIP_WORDS_BAD_JSON"
    const char *CODE_BAD_TYPE "SERENDIP_CODE_BAD_TYPE"
    const char *WORDS_BAD_TYPE "SERENDIP_WORDS_BAD_TYPE"
    const char *CODE_BAD_FIELD "SERENDIP_CODE_BAD_FIELD"
    const char *WORDS_BAD_FIELD "SERENDIP_WORDS_BAD_FIELD"
    const char *CODE_TOO_LONG "SERENDIP_CODE_TOO_LONG"
    const char *WORDS_TOO_LONG "SERENDIP_WORDS_TOO_LONG"
    const char *CODE_EMPTY "SERENDIP_CODE_EMPTY"
    const char *WORDS_EMPTY "SERENDIP_WORDS_EMPTY"
    const char *CODE_CONTROL "SERENDIP_CODE_CONTROL"
    const char *WORDS_CONTROL "SERENDIP_WORDS_CONTROL"
    const char *CODE_NO_CHAT "SERENDIP_CODE_NO_CHAT"
    const char *WORDS_NO_CHAT "SERENDIP_WORDS_NO_CHAT"
    const char *CODE_NOT_WAITING "SERENDIP_CODE_NOT_WAITING"
    const char *WORDS_NOT_WAITING "SERENDIP_WORDS_NOT_WAITING"
    const char *CODE_SLOW "SERENDIP_CODE_SLOW"
    const char *WORDS_SLOW "SERENDIP_WORDS_SLOW"
    const char *CODE_TOO_FAST "SERENDIP_CODE_TOO_FAST"
    const char *WORDS_TOO_FAST "SERENDIP_WORDS_TOO_FAST"
    const char *CODE_NO_SESSION "SERENDIP_CODE_NO_SESSION"
    const char *WORDS_NO_SESSION "SERENDIP_WORDS_NO_SESSION"
    const char *CODE_NO_COLLEGE "SERENDIP_CODE_NO_COLLEGE"
    const char *WORDS_NO_COLLEGE "SERENDIP_WORDS_NO_COLLEGE"
    const char *CODE_NO_TURN "SERENDIP_CODE_NO_TURN"
    const char *WORDS_NO_TURN "SERENDIP_WORDS_NO_TURN"
    const char *CODE_NOT_SAVED "SERENDIP_CODE_NOT_SAVED"
    const char *WORDS_NOT_SAVED "SERENDIP_WORDS_NOT_SAVED"
    const char *CODE_CHALLENGE "SERENDIP_CODE_CHALLENGE"
    const char *WORDS_CHALLENGE "SERENDIP_WORDS_CHALLENGE"
    const char *CODE_ADULT "SERENDIP_CODE_ADULT"
    const char *WORDS_ADULT "SERENDIP_WORDS_ADULT"
    const char *CODE_NOTICE "SERENDIP_CODE_NOTICE"
    const char *WORDS_NOTICE "SERENDIP_WORDS_NOTICE"
    const char *CODE_SNAPS "SERENDIP_CODE_SNAPS"
    const char *WORDS_SNAPS "SERENDIP_WORDS_SNAPS"
    const char *CODE_PICTURES "SERENDIP_CODE_PICTURES"
    const char *WORDS_PICTURES "SERENDIP_WORDS_PICTURES"
    const char *CODE_NO_PICTURE "SERENDIP_CODE_NO_PICTURE"
    const char *WORDS_NO_PICTURE "SERENDIP_WORDS_NO_PICTURE"
    const char *CODE_NO_PAIR "SERENDIP_CODE_NO_PAIR"
    const char *WORDS_NO_PAIR "SERENDIP_WORDS_NO_PAIR"
    const char *CODE_MAINTENANCE "SERENDIP_CODE_MAINTENANCE"
    const char *WORDS_MAINTENANCE "SERENDIP_WORDS_MAINTENANCE"
    const char *CODE_PROTOCOL "SERENDIP_CODE_PROTOCOL"
    const char *WORDS_PROTOCOL "SERENDIP_WORDS_PROTOCOL"
    const char *CODE_BINARY "SERENDIP_CODE_BINARY"
    const char *WORDS_BINARY "SERENDIP_WORDS_BINARY"
    const char *CODE_ENCODING "SERENDIP_CODE_ENCODING"
    const char *WORDS_ENCODING "SERENDIP_WORDS_ENCODING"
    const char *CODE_TOO_BIG "SERENDIP_CODE_TOO_BIG"
    const char *WORDS_TOO_BIG "SERENDIP_WORDS_TOO_BIG"
    const char *CODE_INTERNAL "SERENDIP_CODE_INTERNAL"
    const char *WORDS_INTERNAL "SERENDIP_WORDS_INTERNAL"
    const char *CODE_RESTART "SERENDIP_CODE_RESTART"
    const char *WORDS_RESTART "SERENDIP_WORDS_RESTART"
    const char *CODE_BUSY "SERENDIP_CODE_BUSY"
    const char *WORDS_BUSY "SERENDIP_WORDS_BUSY"
    const char *CODE_BANNED "SERENDIP_CODE_BANNED"
    const char *WORDS_BANNED "SERENDIP_WORDS_BANNED"
    const char *CODE_COUNTRY "SERENDIP_CODE_COUNTRY"
    const char *WORDS_COUNTRY "SERENDIP_WORDS_COUNTRY"
    const char *CODE_REMOVED "SERENDIP_CODE_REMOVED"
    const char *WORDS_REMOVED "SERENDIP_WORDS_REMOVED"
    const char *CODE_FLOOD "SERENDIP_CODE_FLOOD"
    const char *WORDS_FLOOD "SERENDIP_WORDS_FLOOD"
    const char *CODE_REPLACED "SERENDIP_CODE_REPLACED"
    const char *WORDS_REPLACED "SERENDIP_WORDS_REPLACED"
