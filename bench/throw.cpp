// The baseline of raise.c: a C++ exception through frames whose destructors do the same work.
#include <stdexcept>

#include "work.h"

namespace {

long held;

class guard {
  public:
    guard() { work_hold(&self); }
    ~guard() { work_let_go(&self, WI_RAISED, nullptr); }
    guard(const guard &) = delete;
    guard &operator=(const guard &) = delete;

  private:
    holder self = {nullptr, &held};
};

__attribute__((noinline)) void descend(int frames) {
    if (!frames) throw std::runtime_error("no convergence");
    guard self;
    descend(frames - 1);
    __asm__ volatile(""); // no tail call
}

} // namespace

void throw_and_catch(size_t n, int frames) {
    for (size_t i = 0; i < n; i++) {
        try {
            descend(frames);
        } catch (const std::runtime_error &) {
        }
    }
}
