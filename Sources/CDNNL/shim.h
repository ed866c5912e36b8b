// The interface of oneDNN 3, also on top of oneDNN 2.6. Everything that differs between the two is in this file.
#pragma once

#include <oneapi/dnnl/dnnl_version.h>

#if DNNL_VERSION_MAJOR == 2
// oneDNN 2 describes memory with a struct, and oneDNN 3 with a pointer to one that it hides.
#define dnnl_memory_desc_t dnnl_memory_desc_2_t
#endif
#include <oneapi/dnnl/dnnl.h>
#undef dnnl_memory_desc_t

#if DNNL_VERSION_MAJOR < 2 || (DNNL_VERSION_MAJOR == 2 && DNNL_VERSION_MINOR < 6) || DNNL_VERSION_MAJOR > 3
#error "pixelrl needs oneDNN 2.6 to 3: see Troubleshooting, or build without it: make build-portable"
#elif DNNL_CPU_RUNTIME != DNNL_RUNTIME_OMP
#error "pixelrl needs a oneDNN that uses OpenMP: see Troubleshooting, or build without it: make build-portable"
#endif

#if DNNL_VERSION_MAJOR == 2

#include <stdlib.h>

typedef dnnl_memory_desc_2_t *dnnl_memory_desc_t;
typedef const dnnl_memory_desc_2_t *const_dnnl_memory_desc_t;

static inline dnnl_status_t dnnl_memory_desc_clone(dnnl_memory_desc_t *copy, const_dnnl_memory_desc_t desc) {
  *copy = (dnnl_memory_desc_t)malloc(sizeof(**copy));
  if (!*copy) return dnnl_out_of_memory;
  **copy = *desc;
  return dnnl_success;
}

static inline dnnl_status_t dnnl_memory_desc_destroy(dnnl_memory_desc_t desc) {
  free(desc);
  return dnnl_success;
}

static inline dnnl_status_t dnnl_memory_desc_create_with_tag(
    dnnl_memory_desc_t *desc, int rank, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag) {
  dnnl_memory_desc_2_t made;
  dnnl_status_t status = dnnl_memory_desc_init_by_tag(&made, rank, dims, type, tag);
  return status == dnnl_success ? dnnl_memory_desc_clone(desc, &made) : status;
}

static inline dnnl_status_t dnnl_memory_desc_create_with_strides(
    dnnl_memory_desc_t *desc, int rank, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
  dnnl_memory_desc_2_t made;
  dnnl_status_t status = dnnl_memory_desc_init_by_strides(&made, rank, dims, type, strides);
  return status == dnnl_success ? dnnl_memory_desc_clone(desc, &made) : status;
}

static inline dnnl_status_t dnnl_convolution_forward_primitive_desc_create(
    dnnl_primitive_desc_t *made, dnnl_engine_t engine, dnnl_prop_kind_t kind, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t bias,
    const_dnnl_memory_desc_t dst, const dnnl_dims_t strides, const dnnl_dims_t dilates, const dnnl_dims_t padding_l,
    const dnnl_dims_t padding_r, const_dnnl_primitive_attr_t attributes) {
  dnnl_convolution_desc_t desc;
  dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
      &desc, kind, algorithm, src, weights, bias, dst, strides, dilates, padding_l, padding_r);
  return status == dnnl_success ? dnnl_primitive_desc_create(made, &desc, attributes, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_convolution_backward_data_primitive_desc_create(
    dnnl_primitive_desc_t *made, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t diff_src,
    const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t diff_dst, const dnnl_dims_t strides,
    const dnnl_dims_t dilates, const dnnl_dims_t padding_l, const dnnl_dims_t padding_r,
    const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes) {
  dnnl_convolution_desc_t desc;
  dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
      &desc, algorithm, diff_src, weights, diff_dst, strides, dilates, padding_l, padding_r);
  return status == dnnl_success ? dnnl_primitive_desc_create(made, &desc, attributes, engine, hint) : status;
}

static inline dnnl_status_t dnnl_convolution_backward_weights_primitive_desc_create(
    dnnl_primitive_desc_t *made, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t src,
    const_dnnl_memory_desc_t diff_weights, const_dnnl_memory_desc_t diff_bias, const_dnnl_memory_desc_t diff_dst,
    const dnnl_dims_t strides, const dnnl_dims_t dilates, const dnnl_dims_t padding_l, const dnnl_dims_t padding_r,
    const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes) {
  dnnl_convolution_desc_t desc;
  dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
      &desc, algorithm, src, diff_weights, diff_bias, diff_dst, strides, dilates, padding_l, padding_r);
  return status == dnnl_success ? dnnl_primitive_desc_create(made, &desc, attributes, engine, hint) : status;
}

static inline dnnl_status_t dnnl_binary_primitive_desc_create(
    dnnl_primitive_desc_t *made, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t src0,
    const_dnnl_memory_desc_t src1, const_dnnl_memory_desc_t dst, const_dnnl_primitive_attr_t attributes) {
  dnnl_binary_desc_t desc;
  dnnl_status_t status = dnnl_binary_desc_init(&desc, algorithm, src0, src1, dst);
  return status == dnnl_success ? dnnl_primitive_desc_create(made, &desc, attributes, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_eltwise_forward_primitive_desc_create(
    dnnl_primitive_desc_t *made, dnnl_engine_t engine, dnnl_prop_kind_t kind, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t dst, float alpha, float beta,
    const_dnnl_primitive_attr_t attributes) {
  (void)dst;
  dnnl_eltwise_desc_t desc;
  dnnl_status_t status = dnnl_eltwise_forward_desc_init(&desc, kind, algorithm, src, alpha, beta);
  return status == dnnl_success ? dnnl_primitive_desc_create(made, &desc, attributes, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_eltwise_backward_primitive_desc_create(
    dnnl_primitive_desc_t *made, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t diff_src,
    const_dnnl_memory_desc_t diff_dst, const_dnnl_memory_desc_t data, float alpha, float beta,
    const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes) {
  (void)diff_src;
  dnnl_eltwise_desc_t desc;
  dnnl_status_t status = dnnl_eltwise_backward_desc_init(&desc, algorithm, diff_dst, data, alpha, beta);
  return status == dnnl_success ? dnnl_primitive_desc_create(made, &desc, attributes, engine, hint) : status;
}

// What oneDNN 3 has no short form for, or has under another name.

/// Appends ReLU to the post-ops of a primitive.
static inline dnnl_status_t pixelrl_append_relu(dnnl_post_ops_t post_ops) {
  return dnnl_post_ops_append_eltwise(post_ops, 1, dnnl_eltwise_relu, 0, 0);
}

/// Returns the extents.
static inline const dnnl_dim_t *pixelrl_dims(const_dnnl_memory_desc_t desc) { return desc->dims; }

/// Describes the same memory with smaller extents. The rest becomes padding, which a copy into the memory clears. Only
/// axes that are divided into blocks can have padding.
static inline dnnl_status_t pixelrl_narrow(
    dnnl_memory_desc_t *narrow, const_dnnl_memory_desc_t desc, const dnnl_dims_t dims) {
  const dnnl_blocking_desc_t *blocking = &desc->format_desc.blocking;
  if (desc->format_kind != dnnl_blocked) return dnnl_unimplemented;
  for (int axis = 0; axis < desc->ndims; ++axis) {
    int is_blocked = 0;
    for (int i = 0; i < blocking->inner_nblks; ++i) is_blocked |= blocking->inner_idxs[i] == axis;
    if (dims[axis] != desc->dims[axis] && !is_blocked) return dnnl_unimplemented;
  }
  dnnl_status_t status = dnnl_memory_desc_clone(narrow, desc);
  for (int axis = 0; status == dnnl_success && axis < desc->ndims; ++axis) (*narrow)->dims[axis] = dims[axis];
  return status;
}

#else

#include <string.h>

static inline dnnl_status_t pixelrl_append_relu(dnnl_post_ops_t post_ops) {
  return dnnl_post_ops_append_eltwise(post_ops, dnnl_eltwise_relu, 0, 0);
}

static inline const dnnl_dim_t *pixelrl_query(const_dnnl_memory_desc_t desc, dnnl_query_t what) {
  const dnnl_dims_t *found = NULL;
  return dnnl_memory_desc_query(desc, what, &found) == dnnl_success && found ? *found : NULL;
}
static inline const dnnl_dim_t *pixelrl_dims(const_dnnl_memory_desc_t desc) {
  return pixelrl_query(desc, dnnl_query_dims);
}

// oneDNN 3 hides the extents, so this looks for the tag that made the description.
static inline dnnl_status_t pixelrl_narrow(
    dnnl_memory_desc_t *narrow, const_dnnl_memory_desc_t desc, const dnnl_dims_t dims) {
  int rank = 0;
  dnnl_status_t status = dnnl_memory_desc_query(desc, dnnl_query_ndims_s32, &rank);
  if (status != dnnl_success) return status;
  const size_t bytes = sizeof(dnnl_dim_t) * (size_t)rank;
  const dnnl_dim_t *whole = pixelrl_dims(desc), *padded = pixelrl_query(desc, dnnl_query_padded_dims);
  if (!memcmp(dims, whole, bytes)) return dnnl_memory_desc_clone(narrow, desc);
  for (int tag = dnnl_format_tag_any + 1; tag < dnnl_format_tag_last; ++tag) {
    dnnl_memory_desc_t made = NULL;
    status = dnnl_memory_desc_create_with_tag(&made, rank, whole, dnnl_f32, (dnnl_format_tag_t)tag);
    if (status != dnnl_success) continue;
    const int is_found = dnnl_memory_desc_equal(made, desc);
    dnnl_memory_desc_destroy(made);
    if (!is_found) continue;
    status = dnnl_memory_desc_create_with_tag(narrow, rank, dims, dnnl_f32, (dnnl_format_tag_t)tag);
    if (status != dnnl_success) return status;
    // Axes without blocks have no padding: another tag may describe the same memory.
    if (!memcmp(pixelrl_query(*narrow, dnnl_query_padded_dims), padded, bytes)) return dnnl_success;
    dnnl_memory_desc_destroy(*narrow);
  }
  *narrow = NULL;
  return dnnl_unimplemented;
}

#endif
