#!/bin/bash -eu
# projects/serendip/build.sh of OSS-Fuzz: the repository has what builds its targets.
exec "$SRC/serendip/.clusterfuzzlite/build.sh"
