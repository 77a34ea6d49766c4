// Ownership of libuv's handles: a handle lives on the heap and is freed by its close callback, here and nowhere else.
// Whoever holds a HandlePtr may let go of it at any time, also within the handle's own callback.
#pragma once

#include <uv.h>

#include <memory>

#include "common/base/assert.h"

namespace vedette {

template <class UvHandle>
struct HandleCloser {
  void operator()(UvHandle* handle) const {
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) { delete reinterpret_cast<UvHandle*>(closed); });
  }
};
template <class UvHandle>
using HandlePtr = std::unique_ptr<UvHandle, HandleCloser<UvHandle>>;

/// A handle that `init` (uv_timer_init and the like) has initialised on `loop`; its callbacks find `owner` in data.
template <class UvHandle, class Init>
HandlePtr<UvHandle> make_handle(uv_loop_t* loop, void* owner, Init init) {
  auto* handle = new UvHandle;
  VED_ASSERT(init(loop, handle) == 0);
  handle->data = owner;
  return HandlePtr<UvHandle>(handle);
}

}  // namespace vedette
