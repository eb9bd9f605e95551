/*
 * within: with-blocks for scientific programs. Everything a block acquires is released, everything it
 * costs is measured, and the record of both survives `kill -9`.
 */
#ifndef WITHIN_H
#define WITHIN_H

#include <within/atomic_file.h>
#include <within/block.h>
#include <within/checkpoints.h>
#include <within/closing.h>
#include <within/csv.h>
#include <within/cuda.h>
#include <within/environment.h>
#include <within/error.h>
#include <within/exit_stack.h>
#include <within/file.h>
#include <within/floating_point.h>
#include <within/generator.h>
#include <within/gpu.h>
#include <within/gpu_section.h>
#include <within/interrupts.h>
#include <within/lock.h>
#include <within/memory.h>
#include <within/record.h>
#include <within/redirect.h>
#include <within/rng.h>
#include <within/section.h>
#include <within/seed.h>
#include <within/span.h>
#include <within/suppress.h>
#include <within/tempdir.h>
#include <within/threads.h>
#include <within/timer.h>
#include <within/try.h>
#include <within/version.h>
#include <within/watch.h>
#include <within/workdir.h>

#endif
