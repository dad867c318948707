"""The WSDL of the stand-in, as inferred from OpenEdge's naming, in the three formats that its server knows."""

from lxml import etree
from lxml.builder import ElementMaker

from sandbox.prima.settings import StandInSettings

WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
XSD = "http://www.w3.org/2001/XMLSchema"
FAULT = "urn:soap-fault:details"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
OPERATIONS = ("wsomhandler", "comwsomhandler")


def wsdl(settings: StandInSettings, address: str) -> bytes:
    """Return the WSDL document for a style and part names; `address` is where calls are POSTed."""
    names = {"tns": settings.target_uri, "flt": FAULT, "soap": SOAP, "wsdl": WSDL, "xsd": XSD}
    w = ElementMaker(namespace=WSDL, nsmap=names)
    obj = f"{settings.app_object}Obj"
    service = w.service(
        w.port(_soap("address", location=settings.wsdl_address or address), name=obj, binding=f"tns:{obj}"),
        name=f"{settings.app_object}Service",
    )
    definitions = w.definitions(
        w.types(_fault_schema(), *([_wrapper_schema(settings)] if settings.style == "document_wrapped" else [])),
        *_messages(w, settings),
        _port_type(w, settings, obj),
        _binding(w, settings, obj),
        service,
        name=settings.app_object,
        targetNamespace=settings.target_uri,
    )
    written: bytes = etree.tostring(definitions, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return written


def input_parts(settings: StandInSettings, operation: str) -> tuple[str, ...]:
    """Return the names of an operation's input parts, in order."""
    if operation != "comwsomhandler":
        return (settings.request_part,)
    parts = (settings.company_part, settings.request_part)
    return parts if settings.company_comes == "first" else parts[::-1]


def _soap(tag: str, **attributes: str) -> etree._Element:
    return etree.Element(f"{{{SOAP}}}{tag}", attributes)


def _fault_schema() -> etree._Element:
    x = ElementMaker(namespace=XSD)
    content = [x.element(name=name, type="xsd:string") for name in ("errorMessage", "requestID")]
    schema: etree._Element = x.schema(
        x.element(x.complexType(x.sequence(*content)), name="FaultDetail"),
        targetNamespace=FAULT,
        elementFormDefault="unqualified",
    )
    return schema


def _wrapper_schema(settings: StandInSettings) -> etree._Element:
    x = ElementMaker(namespace=XSD)
    schema: etree._Element = x.schema(targetNamespace=settings.target_uri, elementFormDefault="unqualified")
    for operation in OPERATIONS:
        for name, parts in (
            (operation, input_parts(settings, operation)),
            (f"{operation}Response", (settings.answer_part,)),
        ):
            content = [x.element(name=part, type="xsd:string", nillable="true") for part in parts]
            schema.append(x.element(x.complexType(x.sequence(*content)), name=name))
    return schema


def _messages(w: ElementMaker, settings: StandInSettings) -> list[etree._Element]:
    messages = []
    for operation in OPERATIONS:
        for name, parts in (
            (operation, input_parts(settings, operation)),
            (f"{operation}Response", (settings.answer_part,)),
        ):
            if settings.style == "document_wrapped":
                content = [w.part(name="parameters", element=f"tns:{name}")]
            else:
                content = [w.part(name=part, type="xsd:string") for part in parts]
            messages.append(w.message(*content, name=f"{settings.app_object}_{name}"))
    messages.append(w.message(w.part(name="FaultDetail", element="flt:FaultDetail"), name="FaultDetailMessage"))
    return messages


def _port_type(w: ElementMaker, settings: StandInSettings, obj: str) -> etree._Element:
    port_type: etree._Element = w.portType(name=obj)
    for operation in OPERATIONS:
        message = f"tns:{settings.app_object}_{operation}"
        described = w.operation(
            w.input(message=message),
            w.output(message=f"{message}Response"),
            w.fault(name=f"{settings.app_object}Fault", message="tns:FaultDetailMessage"),
            name=operation,
        )
        if settings.style != "document_wrapped":
            described.set("parameterOrder", " ".join((*input_parts(settings, operation), settings.answer_part)))
        port_type.append(described)
    return port_type


def _binding(w: ElementMaker, settings: StandInSettings, obj: str) -> etree._Element:
    style = "document" if settings.style == "document_wrapped" else "rpc"
    body = {"use": "literal"}
    if settings.style == "rpc_encoded":
        body = {"use": "encoded", "encodingStyle": ENCODING}
    if style == "rpc":
        body["namespace"] = settings.target_uri
    fault = f"{settings.app_object}Fault"
    binding: etree._Element = w.binding(
        _soap("binding", style=style, transport="http://schemas.xmlsoap.org/soap/http"), name=obj, type=f"tns:{obj}"
    )
    for operation in OPERATIONS:
        binding.append(
            w.operation(
                _soap("operation", soapAction=settings.soap_action, style=style),
                w.input(_soap("body", **body)),
                w.output(_soap("body", **body)),
                w.fault(_soap("fault", name=fault, use="literal"), name=fault),
                name=operation,
            )
        )
    return binding
