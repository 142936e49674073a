/**
 * A plugin of typedoc: the Winsock calls are constants whose type takes its parameters from elsewhere, as one tuple. Their pages
 * show them as what they are: functions with named parameters.
 */

import {
  Converter,
  DeclarationReflection,
  OptionalType,
  ParameterReflection,
  ReflectionFlag,
  ReflectionKind,
} from 'typedoc';

/** @param {import('typedoc').Application} app */
export function load(app) {
  // Before the comments are matched with the parameters.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => showCalls(project), 1e9);
}

function showCalls(project) {
  for (const reflection of project.getReflectionsByKind(ReflectionKind.Variable)) {
    const signatures = reflection instanceof DeclarationReflection ? callSignatures(reflection) : undefined;
    if (signatures === undefined) continue;
    reflection.kind = ReflectionKind.Function;
    reflection.signatures = signatures;
    delete reflection.type;
    delete reflection.defaultValue;
    for (const signature of signatures) {
      signature.name = reflection.name;
      signature.parent = reflection;
      signature.comment ??= reflection.comment?.clone();
      nameParameters(project, signature);
    }
    delete reflection.comment;
  }
}

/** The signatures of a constant that is a function. */
function callSignatures({ type }) {
  if (type?.type !== 'reflection') return undefined;
  const { signatures, children } = type.declaration;
  return children === undefined ? signatures : undefined;
}

/** Puts the members of a tuple of arguments in their place. */
function nameParameters(project, signature) {
  const rest = signature.parameters?.at(-1);
  if (rest === undefined || !rest.flags.isRest || rest.type?.type !== 'tuple') return;
  const members = rest.type.elements;
  if (!members.every((member) => member.type === 'namedTupleMember')) return;
  project.removeReflection(rest);
  const parameters = members.map((member) => {
    const parameter = new ParameterReflection(member.name, ReflectionKind.Parameter, signature);
    parameter.type = member.element instanceof OptionalType ? member.element.elementType : member.element;
    parameter.setFlag(ReflectionFlag.Optional, member.isOptional);
    project.registerReflection(parameter, undefined, undefined);
    return parameter;
  });
  signature.parameters = [...(signature.parameters ?? []), ...parameters];
}
