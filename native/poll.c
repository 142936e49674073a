/*
 * Readiness through libuv: a device joins the event loop of the environment that opened it.
 *
 * libuv polls by level: what a callback leaves unread makes it run again in the loop's next turn, after timers had
 * theirs. A watcher outlives its device by a turn, because libuv closes handles late; the environment waits for that.
 */
#include "winsockd.h"

#include <stdlib.h>
#include <uv.h>

struct watcher {
  uv_poll_t poll;
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  struct device *device; /* NULL once closing */
};

static void on_closed(uv_handle_t *handle) {
  struct watcher *watcher = handle->data;
  if (watcher->hook != NULL) napi_remove_async_cleanup_hook(watcher->hook);
  free(watcher);
}

static void close_watcher(struct watcher *watcher) {
  if (watcher->device == NULL) return;
  watcher->device->watcher = NULL;
  watcher->device = NULL;
  if (watcher->callback != NULL) napi_delete_reference(watcher->env, watcher->callback);
  if (watcher->context != NULL) napi_async_destroy(watcher->env, watcher->context);
  watcher->callback = NULL;
  watcher->context = NULL;
  uv_close((uv_handle_t *)&watcher->poll, on_closed);
}

void watcher_close(struct device *device) {
  if (device->watcher != NULL) close_watcher(device->watcher);
}

/* The environment ends while the device is open: let go of its loop. `on_closed` tells it when that is done. */
static void on_environment_end(napi_async_cleanup_hook_handle hook, void *argument) {
  (void)hook;
  close_watcher(argument);
}

/* Calls back with (status, events). What it throws becomes an uncaught exception, as from any event. */
static void on_ready(uv_poll_t *handle, int status, int events) {
  struct watcher *watcher = handle->data;
  napi_env env = watcher->env;
  napi_handle_scope scope;
  if (watcher->callback == NULL || napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value callback, receiver, argv[2] = {make_i32(env, status), make_i32(env, events)};
  if (napi_get_reference_value(env, watcher->callback, &callback) == napi_ok &&
      napi_get_global(env, &receiver) == napi_ok) {
    /* The callback may close the device; nothing of the watcher is used after it. */
    napi_status outcome = napi_make_callback(env, watcher->context, receiver, callback, 2, argv, NULL);
    napi_value exception;
    if (outcome == napi_pending_exception && napi_get_and_clear_last_exception(env, &exception) == napi_ok) {
      napi_fatal_exception(env, exception);
    }
  }
  napi_close_handle_scope(env, scope);
}

static struct watcher *watcher_new(napi_env env, struct device *device, napi_value callback) {
  uv_loop_t *loop;
  napi_value label;
  struct watcher *watcher = calloc(1, sizeof *watcher);
  if (watcher == NULL) {
    throw_errno(env, -UV_ENOMEM, "calloc");
    return NULL;
  }
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    free(watcher);
    throw_errno(env, -UV_ENOSYS, "uv_default_loop");
    return NULL;
  }
  int status = uv_poll_init(loop, &watcher->poll, device->fd);
  if (status != 0) {
    free(watcher);
    throw_errno(env, -status, "uv_poll_init");
    return NULL;
  }
  watcher->poll.data = watcher;
  watcher->env = env;
  watcher->device = device;
  device->watcher = watcher;
  if (napi_create_string_utf8(env, "winsockd:device", NAPI_AUTO_LENGTH, &label) != napi_ok ||
      napi_async_init(env, NULL, label, &watcher->context) != napi_ok ||
      napi_create_reference(env, callback, 1, &watcher->callback) != napi_ok ||
      napi_add_async_cleanup_hook(env, on_environment_end, watcher, &watcher->hook) != napi_ok) {
    close_watcher(watcher);
    throw_errno(env, -UV_ENOMEM, "watch");
    return NULL;
  }
  return watcher;
}

/*
 * watch(device, interest, callback): 1 readable, 2 writable, 0 nothing. The callback is taken by the first call and kept
 * until nothing is watched any more.
 */
napi_value watch_device(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  struct device *device;
  uint32_t interest;
  napi_valuetype type;
  if (!arg_list(env, info, 3, argv) || !arg_device(env, argv[0], &device) || !arg_u32(env, argv[1], &interest)) {
    return NULL;
  }
  if (interest > (UV_READABLE | UV_WRITABLE)) return throw_range(env, "interest is a sum of 1 and 2");
  if (interest == 0) {
    watcher_close(device);
    return NULL;
  }
  if (napi_typeof(env, argv[2], &type) != napi_ok || type != napi_function) {
    return throw_type(env, "a function is needed");
  }
  struct watcher *watcher = device->watcher != NULL ? device->watcher : watcher_new(env, device, argv[2]);
  if (watcher == NULL) return NULL;
  int status = uv_poll_start(&watcher->poll, (int)interest, on_ready);
  if (status != 0) return throw_errno(env, -status, "uv_poll_start");
  return NULL;
}
