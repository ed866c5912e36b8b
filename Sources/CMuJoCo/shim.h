/* The same interface for MuJoCo 2.2 and 3. Everything that differs between the two is in this file. It also has what
   Swift cannot express: MuJoCo's handlers are global pointers to functions, and its virtual files a huge struct. */
#ifndef PIXELRL_CMUJOCO_SHIM_H
#define PIXELRL_CMUJOCO_SHIM_H

#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 222 is 2.2.2, 3017000 is 3.17.0. Version 3.12 is the first with today's names and textures of planes. */
#if mjVERSION_HEADER < 220 || (mjVERSION_HEADER >= 230 && mjVERSION_HEADER < 3012000) || mjVERSION_HEADER >= 4000000
#error "pixelrl needs MuJoCo 2.2, or 3.12 or newer: see Troubleshooting, or build without it: make build MUJOCO=0"
#endif
#define SHIM_IS_MUJOCO_3 (mjVERSION_HEADER >= 3012000)

/* The version that the program was compiled with. It must be the one that mj_version returns. */
static inline int shim_header_version(void) { return mjVERSION_HEADER; }

_Noreturn static inline void shim_fail(const char *reason) {
  fprintf(stderr, "pixelrl: MuJoCo: %s\n", reason);
  exit(1);
}

/* The suite's models have attributes that MuJoCo 3 calls deprecated. A user cannot change that. */
static inline void shim_warn(const char *reason) {
  if (!strstr(reason, "deprecated")) fprintf(stderr, "pixelrl: MuJoCo warns: %s\n", reason);
}

/* Without handlers MuJoCo writes a MUJOCO_LOG.TXT into the working folder, and waits for a key before it exits. */
static inline void shim_install_handlers(void) {
  mju_user_error = shim_fail;
  mju_user_warning = shim_warn;
}

static inline int shim_add_file(mjVFS *files, const char *name, const char *text, int size) {
#if SHIM_IS_MUJOCO_3
  return mj_addBufferVFS(files, name, text, size);
#else
  int failure = mj_makeEmptyFileVFS(files, name, size);
  if (!failure) memcpy(files->filedata[mj_findFileVFS(files, name)], text, (size_t)size);
  return failure;
#endif
}

/* Compiles a model that is a text without files beside it; null and a reason where it is none. */
static inline mjModel *shim_compile(const char *text, int size, char *error, int room) {
  mjVFS *files = (mjVFS *)malloc(sizeof *files);
  if (!files) return NULL;
  mj_defaultVFS(files);
  mjModel *model = NULL;
  if (shim_add_file(files, "model.xml", text, size) == 0) model = mj_loadXML("model.xml", files, error, room);
  mj_deleteVFS(files);
  free(files);
  return model;
}

static inline int shim_is_limited(const mjModel *model, int joint) { return model->jnt_limited[joint]; }

/* The texture that colours a material, or -1. In MuJoCo 3 a material has a texture for each of several roles. */
static inline int shim_texture(const mjModel *model, int material) {
#if SHIM_IS_MUJOCO_3
  return model->mat_texid[mjNTEXROLE * material + mjTEXROLE_RGB];
#else
  return model->mat_texid[material];
#endif
}

/* The pixels of a texture, with shim_channels bytes each. */
static inline const mjtByte *shim_pixels(const mjModel *model, int texture) {
#if SHIM_IS_MUJOCO_3
  return model->tex_data + model->tex_adr[texture];
#else
  return model->tex_rgb + model->tex_adr[texture];
#endif
}

static inline int shim_channels(const mjModel *model, int texture) {
#if SHIM_IS_MUJOCO_3
  return model->tex_nchannel[texture];
#else
  return 3;
#endif
}

/* Whether the texture of a plane begins at its corner, and not at its centre. */
static inline int shim_planes_begin_at_corners(void) { return SHIM_IS_MUJOCO_3; }

static inline int shim_is_directional(const mjvLight *light) {
#if SHIM_IS_MUJOCO_3
  return light->type == mjLIGHT_DIRECTIONAL;
#else
  return light->directional;
#endif
}

/* MuJoCo's renderer leaves out points and images. */
static inline int shim_is_drawn(const mjvLight *light) {
#if SHIM_IS_MUJOCO_3
  return light->type == mjLIGHT_DIRECTIONAL || light->type == mjLIGHT_SPOT;
#else
  return 1;
#endif
}

/* The normal of a triangle's corner, counted over all meshes. MuJoCo 2.2 has one for each vertex. */
static inline const float *shim_normal(const mjModel *model, int mesh, int corner) {
#if SHIM_IS_MUJOCO_3
  return model->mesh_normal + 3 * (model->mesh_normaladr[mesh] + model->mesh_facenormal[corner]);
#else
  return model->mesh_normal + 3 * (model->mesh_vertadr[mesh] + model->mesh_face[corner]);
#endif
}

/* The texture coordinates of a triangle's corner; null if the mesh has none. */
static inline const float *shim_coordinates(const mjModel *model, int mesh, int corner) {
  if (model->mesh_texcoordadr[mesh] < 0) return NULL;
#if SHIM_IS_MUJOCO_3
  return model->mesh_texcoord + 2 * (model->mesh_texcoordadr[mesh] + model->mesh_facetexcoord[corner]);
#else
  return model->mesh_texcoord + 2 * (model->mesh_texcoordadr[mesh] + model->mesh_face[corner]);
#endif
}

#endif
