/*
 * Arguments in, values and errors out: the border between JavaScript and the rest of the addon.
 */
#include "winsockd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Marks the objects that wrap a struct device, so that no other object passes for one. */
static const napi_type_tag device_tag = {0x9d1c6a4be8f24d07, 0xb35f0c7712ae5c91};

napi_value throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

napi_value throw_range(napi_env env, const char *message) {
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", message);
  return NULL;
}

/* The name that Node gives an errno. It has none for what only devices and netlink answer with. */
static const char *error_name(int error, char *into, size_t size) {
  if (error == EBADFD) return "EBADFD";
  if (uv_err_name_r(-error, into, size) == NULL || strncmp(into, "Unknown", 7) == 0) snprintf(into, size, "E%d", error);
  return into;
}

napi_value throw_errno(napi_env env, int error, const char *syscall_name) {
  char text[256], name_text[64];
  napi_value code, message, failure;
  snprintf(text, sizeof text, "%s: %s", syscall_name, strerror(error));
  if (napi_create_string_utf8(env, error_name(error, name_text, sizeof name_text), NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
      napi_create_error(env, code, message, &failure) != napi_ok) {
    return NULL;
  }
  napi_value name;
  if (napi_create_string_utf8(env, syscall_name, NAPI_AUTO_LENGTH, &name) == napi_ok) {
    set_property(env, failure, "syscall", name);
  }
  set_property(env, failure, "errno", make_i32(env, error));
  napi_throw(env, failure);
  return NULL;
}

bool arg_list(napi_env env, napi_callback_info info, size_t want, napi_value *values) {
  size_t count = want;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok) return false;
  if (count < want) {
    throw_type(env, "too few arguments");
    return false;
  }
  return true;
}

bool arg_i32(napi_env env, napi_value value, int32_t *out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    throw_type(env, "a number is needed");
    return false;
  }
  if (!(number >= INT32_MIN && number <= INT32_MAX) || number != (double)(int32_t)number) {
    throw_range(env, "a 32-bit integer is needed");
    return false;
  }
  *out = (int32_t)number;
  return true;
}

bool arg_u32(napi_env env, napi_value value, uint32_t *out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    throw_type(env, "a number is needed");
    return false;
  }
  if (!(number >= 0 && number <= UINT32_MAX) || number != (double)(uint32_t)number) {
    throw_range(env, "an unsigned 32-bit integer is needed");
    return false;
  }
  *out = (uint32_t)number;
  return true;
}

bool arg_bool(napi_env env, napi_value value, bool *out) {
  if (napi_get_value_bool(env, value, out) == napi_ok) return true;
  throw_type(env, "a boolean is needed");
  return false;
}

/* A string without NUL that fits `size` with its end mark. */
bool arg_text(napi_env env, napi_value value, char *into, size_t size) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    throw_type(env, "a string is needed");
    return false;
  }
  if (length >= size) {
    throw_range(env, "the string is too long");
    return false;
  }
  napi_get_value_string_utf8(env, value, into, size, &length);
  if (strlen(into) != length) {
    throw_range(env, "the string has a NUL in it");
    return false;
  }
  return true;
}

bool arg_bytes(napi_env env, napi_value value, struct bytes *out) {
  bool is_array = false;
  napi_typedarray_type type;
  void *data;
  if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array ||
      napi_get_typedarray_info(env, value, &type, &out->length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    throw_type(env, "a Uint8Array is needed");
    return false;
  }
  out->data = data;
  return true;
}

bool arg_table(napi_env env, napi_value value, int32_t **rows, size_t *length) {
  bool is_array = false;
  napi_typedarray_type type;
  void *data;
  if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array ||
      napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok || type != napi_int32_array) {
    throw_type(env, "an Int32Array is needed");
    return false;
  }
  *rows = data;
  return true;
}

bool is_null(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && (type == napi_null || type == napi_undefined);
}

/* An open device. A closed one is EBADF, whatever the caller wanted of it. */
bool arg_device(napi_env env, napi_value value, struct device **out) {
  napi_valuetype type;
  bool is_device = false;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object ||
      napi_check_object_type_tag(env, value, &device_tag, &is_device) != napi_ok || !is_device ||
      napi_unwrap(env, value, (void **)out) != napi_ok) {
    throw_type(env, "a device is needed");
    return false;
  }
  if ((*out)->fd < 0) {
    throw_errno(env, EBADF, "device");
    return false;
  }
  return true;
}

/* The object is gone: so is what it owned. */
static void forget_device(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  device_close(data);
  free(data);
}

/* Hands `device` to a new JavaScript object; on failure it is closed and freed. */
napi_value wrap_device(napi_env env, struct device *device) {
  napi_value object;
  if (napi_create_object(env, &object) == napi_ok &&
      napi_wrap(env, object, device, forget_device, NULL, NULL) == napi_ok) {
    /* From here on the finalizer owns it. */
    if (napi_type_tag_object(env, object, &device_tag) == napi_ok) return object;
    return NULL;
  }
  device_close(device);
  free(device);
  return throw_errno(env, ENOMEM, "device");
}

napi_value make_u32(napi_env env, uint32_t value) {
  napi_value result = NULL;
  napi_create_uint32(env, value, &result);
  return result;
}

napi_value make_i32(napi_env env, int32_t value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

napi_value make_bytes(napi_env env, const void *data, size_t length) {
  void *into;
  napi_value buffer, result = NULL;
  if (napi_create_arraybuffer(env, length, &into, &buffer) != napi_ok) return NULL;
  if (length > 0) memcpy(into, data, length);
  napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &result);
  return result;
}

void set_property(napi_env env, napi_value object, const char *name, napi_value value) {
  if (value != NULL) napi_set_named_property(env, object, name, value);
}
