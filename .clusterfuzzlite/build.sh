#!/bin/bash -eu
# Builds all fuzz targets into $OUT, as OSS-Fuzz and ClusterFuzzLite ask for: with their compilers, sanitizers and engine.
cd "$(dirname "$0")/.."
python3 -m venv --system-site-packages build/fuzz-python
PATH="$PWD/build/fuzz-python/bin:$PATH"
python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/build.lock
python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/all.lock
export FUZZ_CC="$CC" FUZZ_CXX="$CXX" FUZZ_CFLAGS="$CFLAGS -fno-sanitize=function,pointer-overflow,alignment"
python -m tests.fuzz.build --out "$OUT"
python -m tests.fuzz.package "$OUT"
