/* The levels of the protocol for the matcher. Generated from engine/wire/protocol.py by `python -m engine.wire.protocol_copy_generator`: do not edit; a test compares the two. */
#ifndef SERENDIP_LEVELS_H
#define SERENDIP_LEVELS_H

/* levels, and the part of the weight that makes an overlap good */
enum {
    MX_GOOD = 0,
    MX_ANY = 1,
    MX_ANYONE = 2,
    MX_LIFTED = 3,
    MX_GOOD_PART = 2,
};

#endif
